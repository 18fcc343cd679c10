"""Compare: two to four runs side by side, or two texts judged without knowing whose they are."""

from __future__ import annotations

import streamlit as st

from components import session
from components.compare import comparison

st.title("Compare", anchor=False)
comparison(session.runtime())

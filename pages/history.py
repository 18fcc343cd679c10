"""History: every run that was ever made, found again, labelled, compared, exported, deleted."""

from __future__ import annotations

import streamlit as st

from components import session
from components.history import history

st.title("History", anchor=False)
history(session.runtime())

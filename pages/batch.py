"""Batch: one workflow on a list of topics, watched while it goes on, and what came out of it."""

from __future__ import annotations

import streamlit as st

from components import session
from components.batch import batch_page

st.title("Batch", anchor=False)
batch_page(session.runtime())

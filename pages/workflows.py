"""Workflows: read the shipped ones, make your own, try a branch, take them along as TOML."""

from __future__ import annotations

import streamlit as st

from components import session
from components.workflow_editor import workflow_editor

st.title("Workflows", anchor=False)
workflow_editor(session.runtime())

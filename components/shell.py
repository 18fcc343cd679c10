"""The script that every session runs: page settings and navigation, then the chosen page.

It lies here and not beside pages/, because Streamlit takes a pages/ folder beside its main script
for an older kind of navigation.
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

import streamlit as st  # noqa: E402

from components import session  # noqa: E402
from components.sign_in import account_menu, gate  # noqa: E402

PAGES = ROOT / "pages"

# Streamlit would fetch an icon named ":material/...:" for the tab from a font server.
ICON = str(ROOT / "components" / "favicon.svg")
st.set_page_config(page_title="Fanout", page_icon=ICON, layout="wide")
st.logo(str(ROOT / "components" / "logo.svg"), size="large")
whole = session.process()
person = gate(whole) if whole.visitors is not None else None
shut = whole.visitors is not None and person is None
page = st.navigation(
    [
        st.Page(PAGES / "run.py", title="Run", icon=":material/play_arrow:", default=True),
        st.Page(PAGES / "batch.py", title="Batch", icon=":material/table_rows:"),
        st.Page(PAGES / "history.py", title="History", icon=":material/history:"),
        st.Page(PAGES / "compare.py", title="Compare", icon=":material/compare_arrows:"),
        st.Page(PAGES / "workflows.py", title="Workflows", icon=":material/account_tree:"),
        st.Page(PAGES / "models.py", title="Models", icon=":material/memory:"),
    ],
    # In a tab where somebody has just signed out, the names of the pages would stay.
    position="hidden" if shut else "top",
)
if shut:
    st.stop()
if whole.visitors is not None and person is not None:
    account_menu(whole.visitors, person)
page.run()
session.note_page(page.title)

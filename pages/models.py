"""Which models answer: the one on this machine, servers that run here, and endpoints elsewhere."""

from __future__ import annotations

import streamlit as st

from components import session
from components.endpoint_form import endpoint_form
from components.endpoint_list import endpoint_list
from components.found_servers import found_servers
from components.local_model import local_model

st.title("Models", anchor=False)
st.markdown("Every branch of a run asks one of these. Keys stay in this process's memory only.")

runtime = session.runtime()
local_model(runtime)
found_servers(runtime)
endpoint_list(runtime)
endpoint_form(runtime)

"""Which models answer: the one on this machine, servers that run here, and endpoints elsewhere."""

from __future__ import annotations

import streamlit as st

from components import session
from components.budget import day_budget
from components.endpoint_form import endpoint_form
from components.endpoint_list import endpoint_list
from components.found_servers import found_servers
from components.health import health_panel
from components.local_model import local_model
from components.model_in_use import model_in_use

st.title("Models", anchor=False)

runtime = session.runtime()
model_in_use(runtime)
health_panel(runtime)
here, elsewhere = st.columns(2, gap="large")
with here:
    local_model(runtime)
    found_servers(runtime)
    day_budget(runtime)
with elsewhere:
    endpoint_list(runtime)
    endpoint_form(runtime)

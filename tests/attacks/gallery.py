"""Every attack in every kind of Streamlit element that the app puts a stranger's words into."""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from components.compare.marked import text_html  # noqa: E402
from components.plain import figure_text, label  # noqa: E402
from fanout.render.sanitise import clean_text  # noqa: E402
from tests.attacks.corpus import texts  # noqa: E402

PER_BUTTON = 6
KINDS = (st.caption, st.info, st.warning, st.error, st.success)

st.set_page_config(page_title="Gallery", layout="wide")
plain = [clean_text(text) for text in texts()]

# One paragraph each, told apart by its number: what is read must be what was written.
st.markdown("\n\n".join(f"{n}\\|{label(text, 300)}\\|" for n, text in enumerate(plain)))
for n in range(0, len(plain), PER_BUTTON):
    some = plain[n : n + PER_BUTTON]
    joined = " ".join(label(one, 60) for one in some)
    st.button(joined, key=f"button-{n}", help=joined)
    KINDS[n // PER_BUTTON % len(KINDS)](f"**{joined}** :gray[{joined}]")
    with st.expander(joined):
        st.html(text_html("\n\n".join(some), some[0]))
    st.checkbox(joined, key=f"tick-{n}", help=joined)
st.tabs([label(text, 30) or "-" for text in plain[::40]])
st.selectbox("Choice", range(len(plain)), format_func=lambda n: label(plain[n]), key="choice")
st.pills("Pills", [label(text, 40) for text in plain[::9] if text.strip()], key="pills")
st.radio("Radio", [label(text, 60) for text in plain[::9] if text.strip()], key="radio")
st.metric(label(plain[0]), label(plain[1]), help=label(plain[2]))
st.text_input("Typed", value=plain[3], placeholder=plain[4], key="typed")
st.text_area("Area", value="\n".join(plain), key="area")
st.code("\n".join(plain), language=None)
st.dataframe(pd.DataFrame({"a": plain, "b": plain[::-1]}), key="table")
names = [figure_text(text) for text in plain[:120]]
bars = {"type": "bar", "orientation": "h", "y": names, "x": list(range(120)), "text": names}
figure = go.Figure(data=[{**bars, "hovertext": names}])
figure.update_layout(title=names[0], height=2400, xaxis_title=names[1])
for n in range(0, 120, 7):
    figure.add_annotation(text=names[n], x=n, y=n, hovertext=names[n])
st.plotly_chart(figure, key="figure", config={"displayModeBar": False})
st.markdown("The end of the gallery")

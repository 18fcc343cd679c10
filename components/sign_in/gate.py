"""What stands before every page in shared mode: nobody passes who isn't signed in and let in."""

from __future__ import annotations

import streamlit as st

from components.plain import label
from components.sign_in.setup import auth_section, elsewhere, lacks, providers
from components.sign_in.way_back import remember_way
from fanout.engine.runtime import Runtime
from fanout.errors import StoreError
from fanout.people import Claims, Person

WHOSE = "signed_in_person"
GUIDE = "docs/sharing.md"
BUTTON = "sign_in_with_"
"""With what the keys of the buttons begin that lead to a provider."""
_NARROW = 460


def person_here(whole: Runtime) -> Person | None:
    """Who this session belongs to; None where they have to sign in. StoreError."""
    assert whole.visitors is not None, "asked in shared mode only"
    said = claims()
    return whole.visitors.person(said) if said else None


def claims() -> Claims:
    """What the provider says of whoever is at this screen; nothing before they sign in."""
    try:
        said = dict(st.user)
    except AttributeError:
        return {}
    return said if said.get("is_logged_in") is True else {}


def gate(whole: Runtime) -> Person | None:
    """The person whose page may be drawn; else draws what they see instead."""
    section = auth_section()
    missing = lacks(section)
    if missing:
        _set_up_first(missing)
        return None
    try:
        person = person_here(whole)
    except StoreError as error:
        st.error(label(str(error), 400), icon=":material/error:")
        return None
    if person is None:
        _sign_in_page(section, refused=bool(claims()))
        return None
    if st.session_state.get(WHOSE, person.id) != person.id:
        # What this session holds is somebody else's.
        st.session_state.clear()
    st.session_state[WHOSE] = person.id

    return person


def _sign_in_page(section: dict[str, object], *, refused: bool) -> None:
    remember_way()
    with (
        st.container(horizontal_alignment="center", key="sign_in"),
        st.container(border=True, width=_NARROW, key="sign_in_card", gap="medium"),
    ):
        st.title("Sign in to Fanout", anchor=False)
        if refused:
            st.warning(
                "Your sign-in has ended, or this account is not let in here. Sign in again, "
                "or ask whoever runs this Fanout.",
                icon=":material/lock:",
            )
        else:
            st.markdown(
                "One topic, several models at once. Your runs, documents and keys are seen "
                "by nobody else, until you share a run's link."
            )
        other = elsewhere(section)
        if other:
            st.info(f"Signing in works at {label(other)} only.", icon=":material/arrow_forward:")
            st.link_button("Go there", other, type="primary", width="stretch")
            return
        for name in providers(section):
            st.button(
                "Sign in" if name is None else f"Sign in with {label(name.title(), 40)}",
                key=f"{BUTTON}{name or 'default'}",
                type="primary",
                icon=":material/login:",
                width="stretch",
                on_click=st.login,
                args=() if name is None else (name,),
            )
        st.caption(
            "What your account is called is shown to you only. It is not written down: Fanout "
            "keeps a number that nobody can turn back into a name."
        )


def _set_up_first(missing: list[str]) -> None:
    with (
        st.container(horizontal_alignment="center", key="set_up_first"),
        st.container(border=True, width=620, gap="medium"),
    ):
        st.title("Signing in is not set up", anchor=False)
        st.markdown(
            "This Fanout is shared (`FANOUT_SHARED=1`), so it shows nothing to people it "
            "can't tell apart. Whoever runs it has to do this first:"
        )
        st.markdown("\n".join(f"- {sentence}" for sentence in missing))
        st.markdown(f"`{GUIDE}` shows a whole example. Then start Fanout again.")

"""Handing a run over: every form of it in one menu, made only when it is asked for."""

from components.exports.menu import export_menu

__all__ = ["export_menu"]

"""Signing in: who is at the screen, what a stranger sees instead of a page, and the way out."""

from components.sign_in.account import account_menu
from components.sign_in.gate import gate

__all__ = ["account_menu", "gate"]

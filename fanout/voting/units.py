"""Units by their dimension, each with its size in the base unit, as exact fractions.

Only units whose meaning is clear: no gallons (two sizes), no pounds (mass or money), no "K" (kelvin
or thousand), no "mw" in small letters (milli or mega). What isn't here stays text, as it is better
to count two equal answers apart than two different ones together.
"""

from __future__ import annotations

from fractions import Fraction

_METRIC = {"n": "1e-9", "μ": "1e-6", "u": "1e-6", "m": "1e-3", "c": "1e-2", "": "1", "k": "1e3"}
_PREFIX_WORDS = {
    "nano": "1e-9",
    "micro": "1e-6",
    "milli": "1e-3",
    "centi": "1e-2",
    "deci": "1e-1",
    "": "1",
    "kilo": "1e3",
}

_SPEEDS = {
    "kilometers per hour": "5/18",
    "kilometres per hour": "5/18",
    "miles per hour": "0.44704",
    "meters per second": "1",
    "metres per second": "1",
}
_SQUARES = {"square meters": "1", "square metres": "1", "sq m": "1", "m2": "1"}

_BY_BASE: dict[str, dict[str, str]] = {
    "m": {
        "dm": "0.1",
        "in": "0.0254",
        "inch": "0.0254",
        "inches": "0.0254",
        "ft": "0.3048",
        "foot": "0.3048",
        "feet": "0.3048",
        "yd": "0.9144",
        "yard": "0.9144",
        "yards": "0.9144",
        "mi": "1609.344",
        "mile": "1609.344",
        "miles": "1609.344",
    },
    "g": {
        "t": "1e6",
        "tonne": "1e6",
        "tonnes": "1e6",
        "lb": "453.59237",
        "lbs": "453.59237",
        "oz": "28.349523125",
        "ounce": "28.349523125",
        "ounces": "28.349523125",
    },
    "s": {
        "sec": "1",
        "secs": "1",
        "min": "60",
        "mins": "60",
        "minute": "60",
        "minutes": "60",
        "h": "3600",
        "hr": "3600",
        "hrs": "3600",
        "hour": "3600",
        "hours": "3600",
        "day": "86400",
        "days": "86400",
        "week": "604800",
        "weeks": "604800",
    },
    "month": {"months": "1", "year": "12", "years": "12"},
    "l": {"dl": "0.1", "cm^3": "1e-3", "cc": "1e-3", "dm^3": "1", "m^3": "1e3"},
    "m^2": {
        **_SQUARES,
        "mm^2": "1e-6",
        "cm^2": "1e-4",
        "km^2": "1e6",
        "ha": "1e4",
        "hectares": "1e4",
    },
    "m/s": {
        "km/h": "5/18",
        "kmh": "5/18",
        "kph": "5/18",
        "km/s": "1e3",
        "mph": "0.44704",
        **_SPEEDS,
    },
    "m/s^2": {},
    "joule": {
        "J": "1",
        "joules": "1",
        "kJ": "1e3",
        "kj": "1e3",
        "MJ": "1e6",
        "Wh": "3600",
        "kWh": "3.6e6",
    },
    "watt": {
        "W": "1",
        "watts": "1",
        "mW": "1e-3",
        "kW": "1e3",
        "kw": "1e3",
        "MW": "1e6",
        "GW": "1e9",
    },
    "hz": {"Hz": "1", "kHz": "1e3", "MHz": "1e6", "GHz": "1e9"},
    "byte": {"bytes": "1", "kB": "1e3", "MB": "1e6", "GB": "1e9", "TB": "1e12"},
    "volt": {"V": "1", "volts": "1", "mV": "1e-3", "kV": "1e3"},
    "newton": {"N": "1", "newtons": "1", "kN": "1e3"},
    "kelvin": {"kelvins": "1"},
    "°c": {"degrees celsius": "1", "degree celsius": "1", "celsius": "1"},
    "°f": {"degrees fahrenheit": "1", "degree fahrenheit": "1", "fahrenheit": "1"},
    "°": {"degrees": "1", "degree": "1", "deg": "1"},
    "usd": {
        "$": "1",
        "us$": "1",
        "dollar": "1",
        "dollars": "1",
        "us dollars": "1",
        "¢": "0.01",
        "cent": "0.01",
        "cents": "0.01",
    },
    "eur": {"€": "1", "euro": "1", "euros": "1"},
    "gbp": {"£": "1"},
    "jpy": {"¥": "1", "yen": "1"},
    "inr": {"₹": "1", "rupees": "1"},
}

_NAMED = {"m": ("metre", "meter"), "g": ("gram",), "s": ("second",), "l": ("litre", "liter")}
SIGNS = "$€£¥₹"
"""Currency signs, which stand before the number too."""


def _table() -> dict[str, tuple[Fraction, str]]:
    table: dict[str, tuple[Fraction, str]] = {}
    for base, units in _BY_BASE.items():
        table[base] = (Fraction(1), base)
        table |= {unit: (Fraction(size), base) for unit, size in units.items()}
    for base, names in _NAMED.items():
        table |= {prefix + base: (Fraction(size), base) for prefix, size in _METRIC.items()}
        for name in names:
            for prefix, size in _PREFIX_WORDS.items():
                table[prefix + name] = table[f"{prefix}{name}s"] = (Fraction(size), base)
    return table


_UNITS = _table()


def unit(name: str) -> tuple[Fraction, str] | None:
    """Its size and the base unit of its dimension. Case counts only where it tells units apart."""
    known = _UNITS.get(name) or _UNITS.get(name.casefold())
    return known or _UNITS.get(name.casefold().removesuffix("."))

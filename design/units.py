"""Units as people read them. Definitions and exports keep plain ASCII (`beats/min`, `kg/m2`, `10^9/L`); pages and paper
show what laboratory reports and measuring devices print: superscripts, µ, °C, and Chinese words in Chinese.

Chinese names of the legal units follow GB 3100-1993; those of rates are what hospital charts in China use.
"""

import re

WORDS = {
    "beats/min": ("beats/min", "次/分"),
    "breaths/min": ("breaths/min", "次/分"),
    "C": ("°C", "°C"),
    "deg": ("°", "°"),
    "days": ("days", "天"),
    "d": ("d", "天"),
    "weeks": ("weeks", "周"),
    "months": ("months", "个月"),
    "years": ("years", "岁"),
    "min": ("min", "分钟"),
    "h": ("h", "小时"),
    "s": ("s", "秒"),
    "ms": ("ms", "毫秒"),
    "ratio": ("ratio", "比值"),
}
CHOICES = {" or ": ("{} or {}", "{}或{}")}
SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
POWER = re.compile(r"\^(-?[0-9]+)|(?<=m)([23])(?![0-9])")
MICRO = re.compile(r"(?<![A-Za-z])u(?=(?:mol|m|g|L|IU|U|s)\b)")


def unit_text(unit: str | None, language: str) -> str:
    """A unit in words of a language, `en` or `zh`; empty for none. What is not known is shown as it is written."""
    if not unit:
        return ""
    chinese = language.startswith("zh")
    if unit in WORDS:
        return WORDS[unit][chinese]
    for separator, patterns in CHOICES.items():
        if separator in unit:
            first, _separator, second = unit.partition(separator)
            return patterns[chinese].format(unit_text(first, language), unit_text(second, language))
    raised = POWER.sub(lambda match: (match[1] or match[2]).translate(SUPERSCRIPTS), unit)
    return MICRO.sub("µ", raised)

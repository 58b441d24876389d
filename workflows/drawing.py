"""Drawing: the charts that pages show. Pages reach what leaves the system only through workflows; so do its pictures."""

from exports.linked_charts import Part, Series, Words, bars, columns, course, shares, spread

__all__ = ["Part", "Series", "Words", "bars", "columns", "course", "shares", "spread"]

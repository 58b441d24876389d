"""The language that `crf/` is written in: pure Python; knows no web and no database."""

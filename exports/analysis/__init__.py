"""Analysis: statistics and clinical derivations as pure functions, analysis frames, and the tables, listings and
figures made from them. Reads only; the study says in text which item feeds which concept.
"""

"""Finding what was said: a small language, an index that the database keeps, ranked results with excerpts.

SQLite (FTS5) and PostgreSQL (text search) stand behind one interface, :mod:`chat.searching.index`. Triggers keep the
index, so nothing that writes need know of it; an answer is indexed once, when it has ended.
"""

"""What templates are given: plain values, no rows, so that a template can run no query.

The same values serve a page, an htmx fragment and a frame over the socket.
"""

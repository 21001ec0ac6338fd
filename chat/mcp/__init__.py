"""Tools of other programs, by the Model Context Protocol (https://modelcontextprotocol.io) and its official SDK.

The SDK is imported where a connection is opened and nowhere before: it weighs some 40 MB in memory.
"""

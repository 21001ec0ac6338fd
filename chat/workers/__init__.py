"""What reads untrusted files: each in a process of its own, bounded, and knowing nothing else of the hub.

``chat.isolated`` runs them by ``bounded.py``. A worker is a module with ``MEMORY`` (bytes of address space),
``PROCESSOR_SECONDS`` and ``answer``, which makes the bytes of an answer out of those of a file.
"""

"""The built-in model: llama.cpp's own server and a tiny model, a child process of the hub.

``fetch`` brings the parts into the data folder, ``process`` runs them, ``server`` is the child's program.
Nothing here needs Django.
"""

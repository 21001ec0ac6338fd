"""Pages and their forms: each takes what the person may see, calls one verb, renders."""

"""The files of other programs, one a module: ``recognises`` an object by its content, ``read`` it."""

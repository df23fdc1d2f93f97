"""How each page looks: a function of the page's value that returns a :class:`Shown`."""

"""The full-screen pages. ``session`` lets the flow and the errands meet, ``window`` frames whatever
page the flow stands on, ``views`` draws each of them. Nothing here decides where a person goes.
"""

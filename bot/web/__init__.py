"""The private pages: log in, prepare one's return, password, national number, own data. And what operators look at.

Server-rendered, in four languages, without inline script. Imports the register's acts, the turn's port and Starlette;
never telegram.
"""

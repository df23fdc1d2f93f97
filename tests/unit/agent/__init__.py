"""The agent, without a console and with a played one."""

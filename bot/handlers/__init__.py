"""The edge to Telegram: the only package that imports `telegram`.

Raw updates come in (`inbound`, `polling`, `webhook`), go to the turn one by one for each chat (`lanes`, `desk`), and
what the turn decided goes out (`panel` for the card, `delivery` for messages that stay). `edge.Telegram` builds it.
"""

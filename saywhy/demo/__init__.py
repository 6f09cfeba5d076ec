"""The demo: sentences, road signs and attacks explained on one page that needs nothing from the network."""

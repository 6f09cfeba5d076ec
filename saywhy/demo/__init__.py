"""The demo: texts, road signs and attacks, explained on one page that works offline."""

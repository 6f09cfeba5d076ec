"""Does a map point to where the decisive parts are said to be? One or several plausible masks for each input."""

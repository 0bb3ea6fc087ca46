### Why a link ended, where neither the server nor the network had to do with it.

health-quit = Tidings was ended
health-gone = Tidings or the machine stopped unexpectedly
health-disconnected = disconnected by you

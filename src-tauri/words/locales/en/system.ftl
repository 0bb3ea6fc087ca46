### Errors of the operating system.

system-not-found = there is no such file or command
system-forbidden = it is not permitted
system-folder = it is a folder
system-no-folder = what should be a folder on the way is none
system-full = the disk is full
system-read-only = the disk is read-only
system-memory = this machine is out of memory
system-too-long = the name or the command is too long
system-no-answer = the disk or the network gives no answer
system-exists = there is something of this name already
system-too-large = it is larger than may be
system-links = there are too many links, or links that lead to each other
system-busy = another program uses it
system-odd = its content can't be read
system-files = too many files are open
system-disk = the disk fails to read or write
system-no-program = it is no program for this machine
system-error = system error { $number }
system-unknown = an unknown error

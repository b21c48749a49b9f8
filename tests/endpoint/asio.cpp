// Asio's and Beast's own code, compiled once for the emulator. It is outside code: the project's
// warnings do not apply to it.

#include <boost/asio/impl/src.hpp>
#include <boost/asio/ssl/impl/src.hpp>
#include <boost/beast/src.hpp>

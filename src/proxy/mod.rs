//! The data plane: sockets, workers, the pump. Forward first, look after.

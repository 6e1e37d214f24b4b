//! Message tags. One byte means two things by direction, so there are two enums (PostgreSQL manual, 55.7).

/// Declares a tag enum with a catch-all for bytes that this version of the protocol doesn't name.
macro_rules! tags {
    ($(#[$doc:meta])* $name:ident { $($variant:ident = $byte:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        #[allow(missing_docs)] // Named as in the manual.
        pub enum $name { $($variant,)+ Other(u8) }

        impl From<u8> for $name {
            #[inline]
            fn from(byte: u8) -> Self {
                match byte { $($byte => $name::$variant,)+ other => $name::Other(other) }
            }
        }

        impl From<$name> for u8 {
            #[inline]
            fn from(tag: $name) -> u8 {
                match tag { $($name::$variant => $byte,)+ $name::Other(other) => other }
            }
        }
    };
}

tags! {
    /// What a client sends.
    FrontendTag {
        Bind = b'B', Close = b'C', CopyData = b'd', CopyDone = b'c', CopyFail = b'f', Describe = b'D', Execute = b'E',
        Flush = b'H', FunctionCall = b'F', Parse = b'P', Password = b'p', Query = b'Q', Sync = b'S', Terminate = b'X',
    }
}

tags! {
    /// What a server sends.
    BackendTag {
        Authentication = b'R', BackendKeyData = b'K', BindComplete = b'2', CloseComplete = b'3', CommandComplete = b'C',
        CopyBothResponse = b'W', CopyData = b'd', CopyDone = b'c', CopyInResponse = b'G', CopyOutResponse = b'H',
        DataRow = b'D', EmptyQueryResponse = b'I', ErrorResponse = b'E', FunctionCallResponse = b'V',
        NegotiateProtocolVersion = b'v', NoData = b'n', NoticeResponse = b'N', NotificationResponse = b'A',
        ParameterDescription = b't', ParameterStatus = b'S', ParseComplete = b'1', PortalSuspended = b's',
        ReadyForQuery = b'Z', RowDescription = b'T',
    }
}

//! Message tags. One byte means two things by direction, so there are two types (PostgreSQL manual, 55.7).

/// Declares a tag: the byte itself, so that nothing is converted per frame, with the manual's names for its values.
macro_rules! tags {
    ($(#[$doc:meta])* $name:ident { $($variant:ident = $byte:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq)]
        pub struct $name(u8);

        #[allow(missing_docs, non_upper_case_globals)] // Named as in the manual.
        impl $name {
            $(pub const $variant: Self = Self($byte);)+

            /// Whether this version of the protocol names it.
            pub fn is_known(self) -> bool {
                matches!(self, $(Self::$variant)|+)
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                match *self {
                    $(Self::$variant => f.write_str(stringify!($variant)),)+
                    Self(byte) => write!(f, "Other({byte:#04x})"),
                }
            }
        }

        impl From<u8> for $name {
            #[inline]
            fn from(byte: u8) -> Self {
                Self(byte)
            }
        }

        impl From<$name> for u8 {
            #[inline]
            fn from(tag: $name) -> u8 {
                tag.0
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

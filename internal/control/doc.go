// Package control is what an operator does to the bridge's memory from outside: look at conversations and ratings, rename,
// reset and delete conversations, and copy the store.
//
// # One implementation, two ways
//
// [Operations] is what can be done. [Local] does it on an open store. [Server] offers it on a Unix socket beside the store,
// and [Client] asks such a server. So a command does the same whether a bridge runs or not: where one runs it holds the
// store, and answers; where none does the command opens the store itself.
//
// # Who may ask
//
// Whoever may read and write the store's file: the socket has mode 0600 and is made inside a directory of mode 0700 before
// it gets its name, so that at no moment anybody else can connect. Nothing secret goes over it: no key and no token.
//
// # Bounds
//
// A request's body is at most 64 KiB, an answer but a backup at most 64 MiB, a list comes in pages, and at most 16 requests
// run at once; more are refused. Each has a deadline, and a backup ends when its reader takes nothing for a minute.
//
// # Where the socket is
//
// At the store's path with ".sock" behind it, see [SocketPath]. Unix allows about a hundred bytes for that path. Where it
// is longer, the socket is in a directory of its own among the temporary files, under a name made of the path's hash; both
// sides must then agree on the directory for temporary files, and both refuse one of it that is not this user's alone.
//
// # Non-goals
//
// It is no interface for other programs: both sides are of one version, and say so where they are not. It knows no platform,
// and a running turn is none of its business: that one does not bring back a conversation that was forgotten is the store's
// ([store.Store.DeleteConversation]).
package control

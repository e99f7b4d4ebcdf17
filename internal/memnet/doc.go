// Package memnet is a network in memory for tests: a net.Listener and the connections dialled to it.
//
// It exists for testing/synctest. A goroutine that waits for a real socket is not durably blocked, so virtual time stands
// still; one that waits here is. net.Pipe has that property too, but no buffer: each Write waits for its Read, which stalls
// programs that write from both ends at once, as HTTP servers and WebSocket peers do. google.golang.org/grpc/test/bufconn is
// close to what is here, but is part of gRPC and knows no half-closed connections.
//
// # Guarantees
//
//   - Waiting is on channels, sync.Cond and timers only. Made in a bubble, a Listener and its connections belong to it.
//   - A connection behaves as TCP does: bytes in order, each direction buffered up to [BufferSize], what was written before
//     Close is still read by the other end, then io.EOF; deadlines, also those in the past, end calls that wait.
//   - Nothing arrives late, is lost or is divided at random: this is no simulation of a bad network.
//
// # Non-goals
//
// Addresses look like loopback TCP addresses, so that URLs can be made of them, but nothing else can dial them.
package memnet

// Package pace keeps what a platform limits as budgets that all running answers of one bot share.
//
// A [Pacer] holds budgets by name ("group:-100123", "update", "all"). A call names every budget that it counts against
// and waits with [Pacer.Wait] until all of them have room; then it takes one slot of each, in one step. It should be made
// right before the text is rendered and sent, so that what was rendered before a wait is never sent after it.
//
// # Guarantees
//
//   - A sliding-window [Rule] holds for every window of its length, wherever that begins: no more than Count slots in
//     any Per. A bucket gives no more than Burst slots and what its rate makes in the time.
//   - A call that waits for one budget holds nothing of another, so one slow or refused room stops no other: a call goes
//     as soon as all its budgets have room and nobody who goes before it wants that room at that moment.
//   - [Urgent] calls go before [Refresh] calls. Among equals the earliest Call.Since goes first: replies that pass the
//     time of their last refresh get fair turns whatever the order in which they ask.
//   - After a 429 ([Pacer.Hold]) only the budget that was named waits. Its rate falls to 0.7 of what it was, once for
//     all refusals that belong together, never under 0.1 of the rule, and rises again by a fifth of the rule for every
//     minute after the hold, until the rule is reached. A hold ends with one slot, and the next ones come at the lowered
//     rate: what gathered meanwhile does not go out in one burst. (A budget without a rule has no rate: all who wait go
//     when its hold ends.)
//   - Nothing runs at rest: there is no goroutine, and one timer while calls wait, to which they listen themselves.
//     Budgets that are full and that nobody waits for are dropped as new ones come, so their number follows the rooms in
//     use, not the rooms ever seen.
//   - A call with room allocates nothing. With n calls waiting for the same budgets a release costs O(log n), and O(log n)
//     with n rooms waiting for a budget that they share. Only where many rooms share two budgets that take turns in being
//     the tighter one, a release can cost O(rooms).
//
// # Limits of it
//
// A budget is known to this process only: two bridges with one bot token share nothing. The slot is counted when Wait
// returns, and requests take differently long to reach the platform, so a rule should be a little stricter than the
// platform's (61 s for a minute). Order between calls with different sets of budgets is kept where the sets are nested
// (chat in group in bot), as platforms' limits are; where they only overlap, a call for two budgets can be passed by
// calls for one of them. Urgent calls above what a budget gives leave nothing for refreshes; that is meant.
//
// # Why not golang.org/x/time/rate
//
// Its Limiter is one token bucket with a first-come queue. Needed here are sliding windows, priorities, fair turns,
// several budgets in one step, and a rate that adapts to refusals. Reservations of several Limiters would be held while
// waiting for the slowest, and a reservation once made cannot be overtaken by something more urgent.
package pace

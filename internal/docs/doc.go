// Package docs tests the documents: README.md, its Vietnamese, CONTRIBUTING.md, SECURITY.md, docs/ and the files under
// deploy/. It has no code of its own.
//
// # What is tested
//
//   - Each command of the program that a document shows, in a block of sh or in a line, exists with its flags. Those that
//     need no account and change nothing are run.
//   - Each relative link leads to a file that is there, and to a heading of it. Each target of make and each file that a
//     command names is there.
//   - docs/config.md has exactly the keys of `bridge config schema`, with their defaults and choices.
//   - README.vi.md has the sections, commands, links and names of README.md.
//   - Each log line and each line of `bridge check` that docs/operate/trouble.md explains is one that the code can write.
//   - The container, compose, systemd and Kubernetes files name commands, flags, ports, paths and times that fit the program.
//
// The program is built once and asked from outside, as its users do.
//
// # Non-goals
//
// Addresses outside the repository are not visited: tests need no network.
package docs

// Package netguard keeps requests whose address comes from outside away from the own network.
//
// A file's URL is chosen by others: by whoever wrote an app, a message or a redirect. Fetched as it stands, it could lead to
// the machine itself, to its neighbours, or to a cloud's metadata service, which gives out credentials.
//
// Guarantees: [Control] judges the very address that is dialled, after the name was resolved, so that a name which resolves
// to something else a moment later gains nothing; each redirect dials again and is judged again. [CheckRedirect] bounds
// redirects and tells the next host nothing of the signed URL that led to it.
//
// Not for requests through a proxy, which resolves names itself, and no list of good hosts: whoever has one asks it first.
package netguard

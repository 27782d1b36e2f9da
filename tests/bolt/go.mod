module airside.test/bolt

// As old as bbolt v1.3.9 allows, so that the Go of any distribution will do.
go 1.17

require go.etcd.io/bbolt v1.3.9

require golang.org/x/sys v0.4.0 // indirect

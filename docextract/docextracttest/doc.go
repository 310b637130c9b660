// Package docextracttest is a simulator of the DocExtract API: a server with a
// population of jobs that come, are processed, and expire as its clock goes on.
//
// It answers as the vendor's reference says. Where the reference is silent, a
// knob chooses how the server behaves ([Knobs]); and every way in which a
// server or the network can fail is a fault with a probability ([Faults]).
// Knobs and faults can be turned while the simulator runs.
//
// The same [Config] and the same clock give the same jobs, byte for byte: job i
// is a function of the seed and i, made when it is asked for. [Simulator.Truth]
// tells what an archive must hold; [Simulator.Submissions] what was charged.
//
// The API and the documents have a handler each, because the vendor keeps
// documents on another host. [Simulator.Start] serves both on the loopback
// interface.
package docextracttest

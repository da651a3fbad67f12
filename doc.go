// Package flott is the DataStream API of Flott: stateful stream and batch processing in Go.
package flott

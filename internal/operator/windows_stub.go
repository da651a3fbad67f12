package operator

type Windows struct{}

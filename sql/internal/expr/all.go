package expr

// All lists every function there is, by family.
var All = [][]*Func{logicFuncs, compareFuncs, arithmeticFuncs, accessFuncs}

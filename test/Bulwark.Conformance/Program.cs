return Bulwark.Conformance.Runner.Run(args);

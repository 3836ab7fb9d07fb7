namespace Bulwark.Attestation;

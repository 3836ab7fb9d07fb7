namespace Bulwark.Assurance;

namespace Bulwark.Policy;

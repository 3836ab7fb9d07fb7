namespace Bulwark.Deployment;

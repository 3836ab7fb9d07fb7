namespace Bulwark.Monitoring;

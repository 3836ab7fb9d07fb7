namespace Bulwark.Privacy;

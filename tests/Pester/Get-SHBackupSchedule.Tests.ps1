Describe 'Get-SHBackupSchedule' {
    It 'finds nothing for a pattern, and says so for a name' {
        Get-SHBackupSchedule 'no such schedule*' | Should -BeNullOrEmpty
        { Get-SHBackupSchedule 'no such schedule' -ErrorAction Stop } | Should -Throw -ErrorId 'ScheduleNotFound,*'
    }
}
